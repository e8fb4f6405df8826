"""What the trainer's scripts share. Nothing here imports torch but what computes with it."""
