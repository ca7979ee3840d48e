# SGLang has caches of its own and no connector to KVBM.
# stage: validate
resource "dynamo_deployment" "chat" {
  name   = var.name
  engine = "sglang"
  model  = var.model

  connector {
    type         = "kvbm" # error: the engine "sglang" cannot have & kvbm & use none
    cpu_cache_gb = 8
  }
}
