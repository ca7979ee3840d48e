# Prefill and decode workers hand over through LMCache's server, on whatever network.
# stage: validate
resource "dynamo_deployment" "chat" {
  name    = var.name
  engine  = "vllm"
  model   = var.model
  mode    = "disaggregated"
  network = "host"

  connector {
    type   = "lmcache"
    server = false # error: by a server only & leave it out
  }
}
