"""Execute as fast as this machine allows, in bounded memory."""
