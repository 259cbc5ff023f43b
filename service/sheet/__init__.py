"""What a rep's day is made of; `service.today` puts the sheet together."""
