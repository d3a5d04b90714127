"""What the controller says of rows and fields, in the languages of the pages."""
