"""Evidence on real data: each module gives lines of figures with a baseline beside each."""
