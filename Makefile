# Each command is a script of its own; make only gives it a short name.
MODELS ?=

.PHONY: serve test install acceptance sbom

serve: ; @scripts/serve $(ARGS)
test: ; @scripts/test $(ARGS)
install: ; @scripts/install
acceptance: ; @scripts/acceptance "$(MODELS)" $(ARGS)
sbom: ; @scripts/sbom $(ARGS)
