"""Mail to prospects: made (`compose`), handed to a server (`conversation`), and read when an answer comes (`imap`, `inbox`).

The server itself is in `service.mail_server`; letters that invite to events are in `service.letters`.
"""
