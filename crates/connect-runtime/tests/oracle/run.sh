#!/bin/sh
# Records what the Java worker does into ../golden. README.md says what for.
set -eu
cd "$(dirname "$0")"
libs="${1:-$HOME/.cache/connect-worker/kafka-4.3.0/libs}"
classes="$(mktemp -d)"
trap 'rm -rf "$classes"' EXIT
javac -d "$classes" -cp "$libs/*" ./*.java
run() { java -Xmx256m -cp "$classes:$libs/*" "org.apache.kafka.connect.runtime.distributed.$@"; }
run GroupBytes >../golden/group-bytes-4.3.0.txt
run EagerRounds >../golden/eager-rounds-4.3.0.txt
run AssignorHistories 300 12 >../golden/assignor-histories-4.3.0.txt
