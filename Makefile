# Each command is a script of its own; make only gives it a short name.
.PHONY: serve test install

serve: ; @scripts/serve $(ARGS)
test: ; @scripts/test $(ARGS)
install: ; @scripts/install
