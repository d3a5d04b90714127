# One worker. FreeSWITCH must reach the ports; unicast wants the host's network:
#   docker build -t voice-ai-switch .
#   docker run --network host --env-file voice-ai.env --volume voice-ai:/var/lib/voice-ai voice-ai-switch

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/voice-ai
COPY deploy/locks deploy/locks
# Nothing but the versions that were tried, by their hashes.
RUN /opt/voice-ai/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
    --requirement deploy/locks/build.txt --requirement deploy/locks/service.txt
COPY setup.cfg setup.py README.md LICENSE ./
COPY bridge bridge
COPY esl_controller esl_controller
COPY db db
RUN /opt/voice-ai/bin/pip install --no-cache-dir --disable-pip-version-check \
    --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --system --home-dir /var/lib/voice-ai --create-home --uid 8085 voice-ai
COPY --from=build /opt/voice-ai /opt/voice-ai
ENV PATH=/opt/voice-ai/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    VOICE_AI_STORAGE_STATE_DIR=/var/lib/voice-ai \
    VOICE_AI_LOG_FORMAT=json
USER 8085
WORKDIR /var/lib/voice-ai
VOLUME /var/lib/voice-ai
EXPOSE 8084 8085
# SIGTERM drains: give `docker stop` more time than VOICE_AI_WORKER_DRAIN_DEADLINE_S.
STOPSIGNAL SIGTERM
# Asks the worker of the same settings: its index, port and address. A worker that answers is never
# unhealthy, whatever it says of its neighbours: its calls would be ended for it.
HEALTHCHECK --interval=10s --timeout=10s --start-period=30s CMD ["esl-controller", "health"]
ENTRYPOINT ["esl-controller"]
CMD ["serve"]
