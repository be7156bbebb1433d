# The gateway as a container: built in one stage, run in another that has no compiler, no pip cache and no root.
# Settings are mounted at /etc/gateway/gateway.yaml; secrets come as files or environment variables, never here.
# smtp.listen must be 0.0.0.0:2525 inside a container, and smtp.allow_from the force's own mail servers.
FROM python:3.11-slim-bookworm AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements/ requirements/
RUN python -m venv /opt/gateway && python -m venv /opt/builder
RUN /opt/gateway/bin/pip install --quiet --no-deps --require-hashes -r requirements/run.txt
RUN /opt/builder/bin/pip install --quiet --no-deps --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY rules/ rules/
COPY gateway/ gateway/
RUN /opt/builder/bin/hatchling build -t wheel -d dist && \
    /opt/gateway/bin/pip install --quiet --no-deps --no-index dist/*.whl

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="victim-contact-gateway" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=builder /opt/gateway /opt/gateway
RUN groupadd --gid 10001 gateway && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/gateway --shell /usr/sbin/nologin gateway && \
    install -d -o 10001 -g 10001 -m 0700 /var/lib/gateway && \
    install -d -m 0755 /etc/gateway
ENV PATH=/opt/gateway/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /var/lib/gateway
VOLUME /var/lib/gateway
EXPOSE 2525
STOPSIGNAL SIGTERM
# Greets the relay as a mail server would; `gateway doctor` without --only also looks at store, rules and smarthost.
HEALTHCHECK --interval=60s --timeout=20s --start-period=60s --retries=3 \
    CMD ["gateway", "doctor", "--only", "relay", "--config", "/etc/gateway/gateway.yaml"]
ENTRYPOINT ["gateway"]
CMD ["serve", "--config", "/etc/gateway/gateway.yaml"]
