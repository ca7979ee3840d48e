# KVBM's cache on disk is filled from one in memory, of which nothing is said.
# stage: validate
resource "dynamo_deployment" "chat" {
  name   = var.name
  engine = "vllm"
  model  = var.model

  connector { # error: cpu_cache_gb & filled from one in memory
    type          = "kvbm"
    disk_cache_gb = 200
  }
}
