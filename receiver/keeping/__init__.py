"""What is done with deliveries once they are in: judged anew, kept for a time, proven, compared with a list."""
