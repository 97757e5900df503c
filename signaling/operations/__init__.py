"""What requests have done, whatever path they came by: speaking, transcribing, chatting."""
