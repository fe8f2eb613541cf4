# SPDX-License-Identifier: Apache-2.0
# The commands a person types. What they do is in tools/; how things are compiled is in meson.build.
.DEFAULT_GOAL := help
.PHONY: help deps build run test fuzz lint format bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

deps: ## install the Debian packages that building and testing need
	@tools/install_deps.sh build test

build: ## build the program at build/callsync
	@[ -f build/build.ninja ] || meson setup build --buildtype=debugoptimized
	@ninja -C build callsync

run: ## install what is missing, build, and start the server with a demo org
	@tools/install_deps.sh build
	@$(MAKE) --no-print-directory build
	@exec tools/run.sh

test: ## install what is missing, and run every test
	@tools/install_deps.sh build test
	@exec tools/test.sh

fuzz: ## let each fuzz target search for FUZZ_SECONDS (60)
	@tools/install_deps.sh build test
	@exec tools/fuzz.sh

lint: ## check layout and run the static analysis
	@tools/lint.sh

format: ## lay out all C code as .clang-format says
	@find src tests -name '*.[ch]' -exec clang-format -i {} +

bench: build ## measure throughput on this machine
	@exec bench/run.sh

clean: ## remove everything that was built
	@rm -rf build build-asan build-fuzz build-tsan build-clang
