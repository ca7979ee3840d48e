# LMCache's server cannot stand between prefill and decode workers on several hosts.
# stage: validate
resource "dynamo_deployment" "chat" {
  name    = var.name
  engine  = "vllm"
  model   = var.model
  mode    = "disaggregated"
  network = "host"

  connector {
    type = "lmcache" # error: its own host & set network to bridge
  }
}
