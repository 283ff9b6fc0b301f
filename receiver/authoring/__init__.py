"""What a process owner needs: checks, sample cases, scrubbing, drafts."""
