# The build runs on the builder's own platform whatever the image is for, and the last stage runs
# nothing: an ARM64 image builds on an x64 machine without emulation.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS build
ARG TARGETARCH
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier
COPY . .
RUN npm run --silent build \
 && npm prune --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --no-update-notifier \
 && node scripts/container/slim.js "${TARGETARCH:-$(node -p process.arch)}" \
 && mkdir -p /image/app /image/usr/local/bin \
 && mv scripts/container/serve /image/usr/local/bin \
 && mv dist bin package.json scripts/container/health.js /image/app \
 && mv models /image \
 # Graphs that change the case of text ask the system for this locale by name, and every UTF-8 locale knows the letters.
 && mkdir -p /image/usr/lib/locale && cp -r /usr/lib/locale/C.utf8 /image/usr/lib/locale/en_US.utf8 \
 && chmod -R a+rX /image node_modules


# What only jobs need, for the image's platform: DuckDB, which reads Parquet and makes features.
FROM --platform=$BUILDPLATFORM node:24-bookworm-slim AS duckdb
ARG TARGETARCH
WORKDIR /app
COPY package.json package-lock.json ./
RUN cpu=$(node -p "({ amd64: 'x64' })['$TARGETARCH'] || '$TARGETARCH' || process.arch") \
 && npm ci --omit=dev --os=linux --cpu="$cpu" --libc=glibc --ignore-scripts --no-audit --no-fund --no-update-notifier \
 && test -d "node_modules/@duckdb/node-bindings-linux-$cpu" \
 && chmod -R a+rX node_modules/@duckdb


FROM node:24-bookworm-slim AS server
LABEL org.opencontainers.image.title="modelport" \
      org.opencontainers.image.description="A folder with a trained ONNX model as a typed, documented, secured and monitored REST API" \
      org.opencontainers.image.licenses="MIT"

# No NODE_ENV=production here: with it the server refuses to start without a key, and `docker run` alone
# should serve, with a token printed for this run. Set it, and a key, where it matters.
ENV HOST=0.0.0.0 MODELS_DIR=/models ORT_DISABLE_TELEMETRY=1
EXPOSE 8000
WORKDIR /app

# A number, so that an orchestrator can see that it is not root. It is the base image's user `node`.
USER 1000:1000

# The one place that can be written where the root file system cannot. Declared, because ECS on Fargate takes from here who may
# write to the volume that it mounts: without, that is root alone.
VOLUME /tmp

# Liveness, not readiness: who acts on this (ECS, Swarm) replaces the container, and a new container
# does not mend a model. A load balancer asks /health/ready.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["node", "health.js"]

# Node is process 1 and gets SIGTERM itself. Give it longer than SHUTDOWN_GRACE_MS: docker stop -t 30.
# SageMaker runs the image with `serve` in place of this: a command that is in the image too.
CMD ["node", "dist/main.js"]

# The packages change least often, so they come first: the layer stays the same from build to build.
COPY --from=build /app/node_modules node_modules
COPY --from=build /image /


# The image of batches and trainings: `docker build --target pipeline`. It serves nothing; what it does is told when it starts,
# such as `node bin/modelport.js job batch-plan …`.
FROM server AS pipeline
COPY --from=duckdb /app/node_modules/@duckdb node_modules/@duckdb
HEALTHCHECK NONE
CMD ["node", "bin/modelport.js", "--help"]


# The last stage is what `docker build` makes.
FROM server
