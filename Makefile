# The commands of this repository. Each says what it does while it does it.
.DEFAULT_GOAL := help
.PHONY: help build demo demo-down test test-releases test-openwebui referee docs

LAB := acceptance-tests/lab

help:       ## list these commands
	@sed -n 's/^\([a-z-]*\): *## /\1\t/p' $(MAKEFILE_LIST) | sort | awk -F '\t' '{ printf "make %-14s %s\n", $$1, $$2 }'

build:      ## build the provider (target/release/terraform-provider-dynamo)
	cargo build --release --bin terraform-provider-dynamo

demo:       ## serve a simulated model on this machine: Docker, images, provider, terraform apply, one chat, empty plan
	@$(LAB)/demo.sh up

demo-down:  ## destroy what `make demo` made, stop its Docker Engine, and check that nothing is left
	@$(LAB)/demo.sh down

test:       ## everything: format, lints, docs, unit tests, and the acceptance tests with real Terraform, Docker and Dynamo
	@$(LAB)/test.sh

test-releases: ## older releases of Dynamo served and upgraded for real (builds six images of 400 MB first)
	@$(LAB)/images.sh 1.0.2 1.1.1 1.2.1 1.3.1 1.4.2 1.5.1
	@cargo test --test acceptance -- releases:: --ignored --test-threads 1

test-openwebui: ## a chat in Open WebUI itself, built from its wheel; with DYNAMO_PICTURE=file.png in a browser too
	@$(LAB)/images.sh && $(LAB)/openwebui.sh real && $(LAB)/openwebui.sh standin
	cargo test --test acceptance -- --ignored openwebui_real

referee:    ## give every golden command line to the argument parsers of the Dynamo release it is for (wheels from PyPI)
	@python3 acceptance-tests/referee/referee.py

docs:       ## write docs/ from the provider's schema
	cargo run --quiet -- docs
