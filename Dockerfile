# The server with its embedded engines. See docs/install.md for how to run it.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY inzwa_rtc inzwa_rtc
COPY signaling signaling
COPY web web
COPY models/catalogue.toml models/catalogue.toml
RUN python -m venv /opt/inzwa-rtc && /opt/inzwa-rtc/bin/pip install --no-cache-dir ".[embedded,hub]"

FROM python:3.12-slim
RUN useradd --system --create-home --home-dir /var/lib/inzwa-rtc inzwa
COPY --from=build /opt/inzwa-rtc /opt/inzwa-rtc
ENV PATH=/opt/inzwa-rtc/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    INZWA_ENVIRONMENT=production \
    INZWA_HOST=0.0.0.0 \
    INZWA_PORT=8080 \
    INZWA_UDP_PORTS=50000-50199 \
    INZWA_MODELS_DIR=/var/lib/inzwa-rtc/models
USER inzwa
WORKDIR /var/lib/inzwa-rtc
RUN mkdir models
# Signaling and the page; audio over WebRTC.
EXPOSE 8080/tcp 50000-50199/udp
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s CMD ["python", "-c", \
    "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"INZWA_PORT\"]}/healthz', timeout=2)"]
# The command is process 1: `docker stop` reaches it, and running calls are let finish
# (timeouts.drain; give docker longer: docs/install.md).
ENTRYPOINT ["inzwa-rtc"]
CMD ["serve"]
