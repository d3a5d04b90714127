"""What a call does with FreeSWITCH, the model's functions and transfers."""
