#!/usr/bin/env bash
# Builds the real Dockerfile and looks at the container from outside and inside, under the limits that
# an operator should set. One line per check; the last line counts them.
#
# Docker if an engine answers; else a tool with Docker's ways (build TAG DIR, run TAG OPTIONS…, size TAG)
# over podman, named by CONTAINER_TOOL, which needs root; else nothing, and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

base=docker.io/library/node:24-bookworm-slim
tag=modelport-test:$$
tool=${CONTAINER_TOOL:-../shared/tools/container.sh}
max_added_mb=120
work=$(mktemp -d)
containers=()
passed=0
failed=0

if docker info >/dev/null 2>&1; then
  engine=(docker)
  strict=()
  build() { docker pull -q "$base" && docker build -t "$tag" .; }
  run() { docker run -d "$@" "$tag"; }
  size() { docker image inspect "$1" --format '{{.Size}}'; }
elif [ -x "$tool" ] && [ "$(id -u)" = 0 ]; then
  engine=(podman --storage-driver vfs --cgroup-manager cgroupfs --runtime runc)
  # Podman softens --read-only with writable /tmp and /run; Docker does not.
  strict=(--read-only-tmpfs=false)
  build() { "$tool" build "$tag" .; }
  run() { "$tool" run "$tag" "$@"; }
  size() { "$tool" size "$1"; }
else
  echo "skipped: no Docker engine answers, and CONTAINER_TOOL names nothing that could stand in for it (or this is not root)"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
strict+=(--read-only --cap-drop ALL --security-opt no-new-privileges --memory 2g --cpus 2)

clean_up() {
  [ ${#containers[@]} -eq 0 ] || "${engine[@]}" rm -f "${containers[@]}" >/dev/null 2>&1 || true
  "${engine[@]}" rmi -f "$tag" >/dev/null 2>&1 || true
  # The stand-in keeps every step of a build as an image of its own; Docker's build cache looks after itself.
  if [ "${engine[0]}" = podman ] && [ -e "$work/build.log" ]; then
    grep -oE '^--> [0-9a-f]{11}$' "$work/build.log" | cut -c5- | tac | xargs -r -n1 "${engine[@]}" rmi -f >/dev/null 2>&1 || true
  fi
  rm -rf "$work"
}
trap clean_up EXIT

stop_here() { # reason, file to show
  echo "FAIL $1"
  [ -z "${2:-}" ] || tail -n 40 "$2"
  echo "$passed passed, $((failed + 1)) failed"
  exit 1
}

expect() { # what, expected pattern (whole, extended), actual
  if [[ $3 =~ ^($2)$ ]]; then
    echo "ok   $1"
    passed=$((passed + 1))
  else
    echo "FAIL $1: expected $2, got: ${3:0:300}"
    failed=$((failed + 1))
  fi
}

start() { # options for run…; sets id
  id=$(run "$@" 2>"$work/run.log") || stop_here "the container starts" "$work/run.log"
  containers+=("$id")
}

wait_ready() { # port inside, 8000 unless told; sets url
  local i address
  address=$("${engine[@]}" port "$id" "${1:-8000}/tcp" | head -n1)
  url=http://$address
  for ((i = 0; i < 300; i++)); do
    [ "$(status /health/ready)" != 200 ] || return 0
    [ "$("${engine[@]}" inspect --format '{{.State.Running}}' "$id")" = true ] || break
    sleep 0.1
  done
  "${engine[@]}" logs "$id" >"$work/log" 2>&1
  stop_here "the server becomes ready" "$work/log"
}

status() { curl -s -m 10 -o /dev/null -w '%{http_code}' "$url$1" "${@:2}" || true; }
inside() { "${engine[@]}" exec "$id" "$@" 2>&1 || true; }

began=$SECONDS
build >"$work/build.log" 2>&1 || stop_here "the image builds" "$work/build.log"
added_mb=$((($(size "$tag") - $(size "$base") + 999999) / 1000000))
echo "     built in $((SECONDS - began)) s, $added_mb MB on top of its base"
expect "the image adds at most $max_added_mb MB to its base" yes "$([ "$added_mb" -le "$max_added_mb" ] && echo yes || echo "$added_mb MB")"

# As `docker run -p 8000:8000 modelport`, under every limit.
start "${strict[@]}" -p 127.0.0.1::8000
wait_ready
"${engine[@]}" logs "$id" >"$work/log" 2>&1
token=$(sed -n 's/^TOKEN=//p' "$work/log" | tail -n1)
row='{"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}'
predict=(-H 'content-type: application/json' -d "$row")

expect "it prints one token for this run" '[^.]+\.[^.]+\.[^.]+' "$token"
expect "iris answers setosa" '.*"class_name": ?"setosa".*' "$(curl -s -m 10 "$url/models/iris/predict" -H "authorization: Bearer $token" "${predict[@]}")"
expect "a request without a token is refused" 401 "$(status /models/iris/predict "${predict[@]}")"
expect "Swagger UI is there" 200 "$(status /docs -L)"
expect "ReDoc is there" 200 "$(status /redoc -L)"
expect "the health check of the image passes" 0 "$(inside sh -c 'node health.js; echo $?')"
expect "the health check fails where nothing listens" 1 "$(inside sh -c 'PORT=9 node health.js; echo $?')"
expect "it runs as uid 1000" 1000:1000 "$(inside sh -c 'echo $(id -u):$(id -g)')"
expect "node is process 1" .*/node "$(inside readlink /proc/1/exe)"
expect "no capability is left" '0+' "$(inside sh -c "sed -n 's/^CapEff:\t//p' /proc/1/status")"
expect "no new privileges can be had" 1 "$(inside sh -c "sed -n 's/^NoNewPrivs:\t//p' /proc/1/status")"
expect "the root file system is read-only" '.*Read-only file system' "$(inside touch /var/tmp/written)"
expect "/tmp is a volume that the server's user can write to" '' "$(inside touch /tmp/written)"
expect "its user owns no file of the service" '' "$(inside find /app /models -user 1000)"
expect "only this platform's inference library is there" 1 "$(inside sh -c 'find /app/node_modules/onnxruntime-node/bin -name "*.node" | wc -l')"
expect "no build tools are there" '' "$(inside sh -c 'for tool in gcc cc make python3 git tsc; do command -v $tool; done; ls -d /app/src /app/node_modules/typescript 2>/dev/null')"
expect "the command line works inside" '.*modelport.*' "$(inside node bin/modelport.js --help | tr '\n' ' ')"
# A graph of one StringNormalizer that writes x in capitals: the runtime asks for the locale en_US.UTF-8 as it loads it.
capitals=CAgSCW1vZGVscG9ydDp/ClIKAXgSAXkiEFN0cmluZ05vcm1hbGl6ZXIqHgoSY2FzZV9jaGFuZ2VfYWN0aW9uIgVVUFBFUqABAyoYChFpc19jYXNlX3NlbnNpdGl2ZRgBoAECEgVncmFwaFoQCgF4EgsKCQgIEgUKAxIBTmIQCgF5EgsKCQgIEgUKAxIBTkIECgAQEUIOCgphaS5vbm54Lm1sEAM=
expect "graphs that change the case of text find their locale" 'STRASSE Ж' "$(inside node -e 'const { InferenceSession, Tensor } = require("onnxruntime-node"); InferenceSession.create(Buffer.from(process.argv[1], "base64")).then(session => session.run({ x: new Tensor("string", ["strasse ж"], [1]) })).then(({ y }) => console.log(y.data[0]))' "$capitals")"
start_ms=$("${engine[@]}" logs "$id" 2>&1 | sed -n 's/.*"start_ms":\([0-9]*\).*/\1/p' | sort -n | tail -n1)
memory=$(inside sh -c 'cat /sys/fs/cgroup/memory.current /sys/fs/cgroup/memory/memory.usage_in_bytes 2>/dev/null | head -n1')
resident=$(inside node -p 'const fs = require("fs"); fs.readdirSync("/proc").filter(pid => pid > 0 && pid != process.pid).map(pid => /VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`))?.[1] / 1000).map(Math.round).join(" + ")')
echo "     ready $start_ms ms after the process began; $resident MB resident, by process; the container holds $((${memory:-0} / 1000000)) MB"

began=$SECONDS
"${engine[@]}" kill --signal TERM "$id" >/dev/null
expect "SIGTERM ends it with exit code 0" 0 "$(timeout 30 "${engine[@]}" wait "$id" || echo 'still running')"
expect "and within the grace" yes "$([ $((SECONDS - began)) -le 26 ] && echo yes || echo "$((SECONDS - began)) s")"

# Another model repository, mounted.
mkdir -p "$work/models" && cp -r models/iris "$work/models/" && chmod -R a+rX "$work"
start "${strict[@]}" -p 127.0.0.1::8000 -v "$work/models:/models:ro" -e NODE_ENV=production -e AUTH=off
wait_ready
expect "a mounted repository replaces the baked-in models" iris "$(curl -s -m 10 "$url/models" | node -p 'JSON.parse(require("fs").readFileSync(0, "utf8")).models.map(model => model.name).join()' 2>&1)"
expect "AUTH=off needs no token" 200 "$(status /predict "${predict[@]}")"

# As `docker run modelport serve`, which is how SageMaker starts it, with one version's files where SageMaker unpacks them.
start "${strict[@]}" -p 127.0.0.1::8080 -v "$work/models/iris/1.0.0:/opt/ml/model:ro" -e NODE_ENV=production --entrypoint serve
wait_ready 8080
expect "started with serve it answers CSV on SageMaker's port" setosa "$(curl -s -m 10 "$url/invocations" -H 'content-type: text/csv' -H 'accept: text/csv' -d '5.1,3.5,1.4,0.2')"
expect "node is process 1 there too" .*/node "$(inside readlink /proc/1/exe)"
expect "and the health check passes" 0 "$(inside sh -c 'node health.js; echo $?')"

start "${strict[@]}" -e NODE_ENV=production
expect "in production without a key it refuses to start" 1 "$(timeout 30 "${engine[@]}" wait "$id" || echo 'still running')"
expect "and says what to set" '.*JWT_SECRET.*' "$("${engine[@]}" logs "$id" 2>&1 | tr '\n' ' ')"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
