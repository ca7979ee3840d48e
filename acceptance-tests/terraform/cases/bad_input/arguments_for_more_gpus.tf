# The name of an argument in another spelling, and a product of two.
# stage: plan
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "sglang"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  engine_args       = { tensor_parallel_size = 2 }
}

resource "dynamo_worker" "chat" {
  deployment  = dynamo_deployment.chat
  gpu_count   = 2 # error: ask for 4 GPUs & gets 2
  engine_args = { "--pp" = 2 }
}
