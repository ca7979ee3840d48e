# Workers of both roles, with arguments at every layer.
variable "roles" {
  type    = map(string)
  default = { p = "prefill", a = "decode", b = "decode" }
}
variable "block_size" { default = 32 }
variable "mode" { default = "disaggregated" }
variable "router" { default = "kv" }

resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"
  mode              = var.mode

  engine_args         = { block-size = var.block_size, max-num-seqs = 16, speedup-ratio = 10 }
  prefill_engine_args = var.mode == "disaggregated" ? { max-num-seqs = 8 } : null
  decode_engine_args  = { max-num-seqs = 32, enable-prefix-caching = false }

  router {
    mode = var.router
  }
}

resource "dynamo_worker" "chat" {
  for_each    = var.roles
  deployment  = dynamo_deployment.chat
  role        = each.value
  engine_args = each.key == "b" ? { max_num_seqs = 64 } : null
}
