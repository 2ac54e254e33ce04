# Every target sets up what it needs from nothing: .venv, the packages, the landmark model.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DOCS_READY := .venv/.docs-ready

.PHONY: demo test test-slow docs lint format fuzz audit bench bench-accuracy pictures pretrained models clean

demo: $(READY)  ## the main job on rendered hands, with a report
	$(BIN)/handlore demo --out handlore-demo

# Images of containers often forbid Python to keep what it compiled: then each process of the tests
# compiles all of it again.
test test-slow: export PYTHONDONTWRITEBYTECODE =

test: $(READY)  ## the test suite
	$(BIN)/handlore weights fetch
	$(BIN)/pytest -n auto --dist worksteal

test-slow: $(READY)  ## what takes long or needs the real data sets
	$(BIN)/handlore weights fetch
	$(BIN)/pytest -m slow -n auto --dist worksteal

docs: $(DOCS_READY)  ## the documentation site in build/docs, its links checked
	rm -rf build/docs
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --jobs auto docs build/docs
	$(BIN)/python docs/check_site.py build/docs

lint: $(READY)  ## format, lint, types, layers
	rm -rf build/lint && mkdir -p build/lint/handlore
	for room in landmarks datasets classifiers models capture; do ln -s ../../../$$room build/lint/handlore/$$room; done
	for part in handlore/*; do ln -s ../../../$$part build/lint/$$part; done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	cd build/lint && ../../$(BIN)/lint-imports --no-logo ../../pyproject.toml

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

FUZZ ?= --minutes 10 --seed 0
fuzz: $(READY)  ## damaged and hostile files against every reader: make fuzz FUZZ="--minutes 60 --seed 7"
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OPENCV_FFMPEG_LOGLEVEL=-8 $(BIN)/python benchmarks/fuzz/run.py $(FUZZ)

audit: $(READY)  ## known vulnerabilities of the versions in constraints.txt, where the network allows
	.ci/audit

bench: $(READY)  ## speed and memory, side by side with bare MediaPipe and scikit-learn
	$(BIN)/handlore bench --pictures 2000
	$(BIN)/python benchmarks/convert_jobs.py
	$(BIN)/python benchmarks/litert.py
	$(BIN)/python benchmarks/rendered_hands.py
	$(BIN)/python benchmarks/capture.py
	$(BIN)/python benchmarks/first_recogniser.py
	$(BIN)/python benchmarks/streams.py
	$(BIN)/python benchmarks/live.py
	$(BIN)/python benchmarks/first_minute.py

bench-accuracy: $(READY)  ## accuracy and yield on the real data sets (HANDLORE_DATA)
	$(BIN)/python benchmarks/search_stages.py
	mkdir -p bench-results/converted
	$(BIN)/python benchmarks/accuracy.py --converted bench-results/converted --json bench-results/accuracy.json
	$(BIN)/python benchmarks/turned.py --converted bench-results/converted
	$(BIN)/python benchmarks/unknown.py bench-results/converted/hgr1.npz
	$(BIN)/python benchmarks/detectors.py
	$(BIN)/python benchmarks/movements.py

models: $(READY)  ## the models that come with handlore, from data in HANDLORE_DATA; landmarks stay in bench-results
	$(BIN)/pip install --quiet torch==2.13.0 && $(BIN)/pip install --quiet --editable '.[temporal]'
	mkdir -p bench-results
	$(BIN)/handlore models build everyday $(HANDLORE_DATA)/hagrid_crops --out bench-results/everyday.onnx
	$(BIN)/handlore models build movements $(HANDLORE_DATA)/ipn --out bench-results/movements.onnx
	$(BIN)/handlore models build digits $(HANDLORE_DATA)/sign_digits --out bench-results/digits.onnx
	for end in onnx npz md; do cp bench-results/everyday.$$end bench-results/movements.$$end bench-results/digits.$$end models/ready; done

pretrained: $(READY)  ## what estimators know beforehand, from data in HANDLORE_DATA
	$(BIN)/pip install --quiet torch==2.13.0 && $(BIN)/pip install --quiet --editable '.[temporal]'
	mkdir -p bench-results
	$(BIN)/handlore convert $(HANDLORE_DATA)/ipn bench-results/ipn.npz --none no_gesture --name-pattern '^[^/]+/(?P<group>[^/]+_\d+)_[LR]_'
	$(BIN)/python benchmarks/pretraining.py movements bench-results/ipn.npz classifiers/pretrained_movements.npz
	for data in hagrid_crops sign_digits; do $(BIN)/handlore convert $(HANDLORE_DATA)/$$data bench-results/$$data.npz; done
	$(BIN)/python benchmarks/pretraining.py poses bench-results/hagrid_crops.npz bench-results/sign_digits.npz classifiers/pretrained_poses.npz

pictures: demo  ## the pictures of the README
	$(BIN)/python docs/make_pictures.py
	$(BIN)/python docs/make_recording_pictures.py
	$(BIN)/python docs/make_report_picture.py handlore-demo/poses.npz

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev,dask]'
	touch $(READY)

$(DOCS_READY): $(READY)
	$(BIN)/python -m pip install --quiet --editable '.[docs]'
	touch $(DOCS_READY)

clean:
	rm -rf .venv handlore-demo build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
