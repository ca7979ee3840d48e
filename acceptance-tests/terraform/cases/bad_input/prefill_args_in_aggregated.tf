# Arguments for prefill workers where there are none. Terraform points at the resource, since the argument is within a value.
# stage: validate
resource "dynamo_deployment" "chat" { # error: max-num-seqs & no prefill workers & engine_args
  name                = var.name
  engine              = "mocker"
  model               = var.model
  prefill_engine_args = { max-num-seqs = 8 }
}
