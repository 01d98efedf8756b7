"""Write a network as a torch module in Python: a class for each kind of block, channels first."""
