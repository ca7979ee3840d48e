#!/bin/sh
# Stands in for nvidia-smi on lab hosts: answers the questions that the provider asks, in the layout that NVIDIA documents
# (`nvidia-smi --help-query-gpu`, `nvidia-smi topo -m`). No process ever uses these GPUs. Pairs 0-1, 2-3, … have NVLink.
GPUS=2

numbers() { seq 0 $((GPUS - 1)); }
uuid() { printf 'GPU-00000000-0000-4000-8000-%012d' "$1"; }

# field GPU NAME UNITS: one cell; UNITS is 1 when units are wanted.
field() {
  unit=
  case $2 in
    index) value=$1 ;;
    count) value=$GPUS ;;
    uuid | gpu_uuid) value=$(uuid "$1") ;;
    name | gpu_name) value='NVIDIA H100 80GB HBM3' ;;
    serial) value=165462300000$1 ;;
    driver_version) value=570.124.06 ;;
    vbios_version) value=96.00.A5.00.01 ;;
    pci.bus_id | gpu_bus_id) value=$(printf '00000000:%02X:00.0' $((25 + $1))) ;;
    compute_cap) value=9.0 ;;
    memory.total) value=81559 unit=MiB ;;
    memory.used) value=1 unit=MiB ;;
    memory.free) value=81078 unit=MiB ;;
    memory.reserved) value=480 unit=MiB ;;
    utilization.gpu | utilization.memory) value=0 unit=% ;;
    temperature.gpu) value=31 ;;
    power.draw) value=69.51 unit=W ;;
    power.limit) value=700.00 unit=W ;;
    mig.mode.current | mig.mode.pending) value=Disabled ;;
    persistence_mode) value=Enabled ;;
    compute_mode) value=Default ;;
    ecc.errors.uncorrected.volatile.total) value=0 ;;
    fan.speed) value='[N/A]' ;;
    *)
      echo "Field \"$2\" is not a valid field to query." >&2
      exit 2
      ;;
  esac
  printf '%s' "$value${unit:+${3:+ $unit}}"
}

# table FIELDS FORMAT
table() {
  fields=$(echo "$1" | tr ',' ' ')
  case $2 in *nounits*) units= ;; *) units=1 ;; esac
  case $2 in *noheader*) ;; *) echo "$1" | sed 's/,/, /g' ;; esac
  for gpu in $(numbers); do
    line=
    for name in $fields; do
      cell=$(field "$gpu" "$name" "$units") || exit 2
      line=${line:+$line, }$cell
    done
    echo "$line"
  done
}

topology() {
  for gpu in $(numbers); do printf '\tGPU%s' "$gpu"; done
  printf '\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\n'
  for row in $(numbers); do
    printf 'GPU%s' "$row"
    for column in $(numbers); do
      if [ "$row" = "$column" ]; then link=' X '; elif [ $((row / 2)) = $((column / 2)) ]; then link=NV18; else link=SYS; fi
      printf '\t%s' "$link"
    done
    printf '\t0-1\t0\t\tN/A\n'
  done
  printf '\nLegend:\n\n  X    = Self\n'
}

format=
query=
for argument in "$@"; do
  case $argument in
    --format=*) format=${argument#*=} ;;
    --query-gpu=* | --query-compute-apps=* | -L | --list-gpus | topo) query=$argument ;;
  esac
done
case $query in
  --query-gpu=*) table "${query#*=}" "$format" ;;
  --query-compute-apps=*) case $format in *noheader*) ;; *) echo "${query#*=}" | sed 's/,/, /g' ;; esac ;;
  -L | --list-gpus) for gpu in $(numbers); do echo "GPU $gpu: $(field "$gpu" name 1) (UUID: $(uuid "$gpu"))"; done ;;
  topo) topology ;;
  *) echo "NVIDIA-SMI $(field 0 driver_version 1): ask with --query-gpu, -L or topo -m" ;;
esac
