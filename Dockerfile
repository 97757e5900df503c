# The server, in two targets. docs/install.md says how to build and run it.
#   docker build .                  embedded: engines that need no download
#   docker build --target full .    and those for models of your own
# Either with other extras of pyproject.toml:
#   docker build --build-arg EXTRAS=embedded,hub,whisper,llama .

# Debian's own Python: its security fixes are Debian's, and a test runs these steps in a plain
# Debian root.
FROM debian:trixie-slim AS python
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/*

FROM python AS build
# What extras need that compile, such as "build-essential cmake" for llama-cpp-python.
ARG BUILD_PACKAGES=""
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3-venv ${BUILD_PACKAGES} \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/inzwa-rtc
ENV PATH=/opt/inzwa-rtc/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY pyproject.toml LICENSE ./
# Stands in for the sources, so that a change of those installs no package again.
RUN mkdir inzwa_rtc signaling web models \
    && touch README.md inzwa_rtc/__init__.py signaling/__init__.py models/catalogue.toml

FROM build AS build-full
ARG EXTRAS=embedded,hub,mlflow,whisper,whispercpp,llama,openai,ollama,vits,piper,kokoro,elevenlabs,alltalk,noise,postgresql,mcp,otel
RUN pip install ".[${EXTRAS}]"
COPY README.md ./
COPY inzwa_rtc inzwa_rtc
COPY signaling signaling
COPY web web
COPY models/catalogue.toml models/catalogue.toml
RUN pip install --no-deps --force-reinstall .

FROM build AS build-embedded
ARG EXTRAS=embedded,hub,postgresql
RUN pip install ".[${EXTRAS}]"
COPY README.md ./
COPY inzwa_rtc inzwa_rtc
COPY signaling signaling
COPY web web
COPY models/catalogue.toml models/catalogue.toml
RUN pip install --no-deps --force-reinstall .

FROM python AS server
# By number, so that Kubernetes can see that it is not root.
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/inzwa-rtc inzwa
# A file and no INZWA_ variables: a file of yours in its place, variables and the command line
# all win over it, as they do everywhere.
COPY config.prod.yaml /etc/inzwa-rtc/inzwa.yaml
ENV PATH=/opt/inzwa-rtc/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    INZWA_CONFIG=/etc/inzwa-rtc/inzwa.yaml
USER 10001
WORKDIR /var/lib/inzwa-rtc
# Signaling and the page; audio over WebRTC.
EXPOSE 8080/tcp 50000-50199/udp
# Python alone and no `inzwa-rtc`, which takes ten times as long to start.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python3", "-I", "-S", "-c", "import http.client, os, sys; line = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('INZWA_PORT') or 8080), timeout=2); line.request('GET', '/healthz'); sys.exit(line.getresponse().status != 200)"]
# The command is process 1: `docker stop` reaches it, running calls are let finish
# (timeouts.drain; give docker longer: docs/install.md), and it ends its engines itself.
ENTRYPOINT ["inzwa-rtc"]
CMD ["serve"]

FROM server AS full
COPY --from=build-full /opt/inzwa-rtc /opt/inzwa-rtc

FROM server AS embedded
COPY --from=build-embedded /opt/inzwa-rtc /opt/inzwa-rtc
