# One machine that plays two: each entry of hosts has a loopback address of its own.
variable "engine_args" {
  type    = map(string)
  default = {}
}

provider "dynamo" {
  hosts = {
    gpu-a = { advertise_address = "127.0.0.11" }
    gpu-b = { advertise_address = "127.0.0.12" }
  }
}

resource "dynamo_deployment" "chat" {
  name              = var.name
  host              = "gpu-a"
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
  served_model_name = "tiny"
  network           = "host"
  engine_args       = var.engine_args

  router {
    mode = "kv"
  }
}

resource "dynamo_worker" "chat" {
  for_each   = toset(["gpu-a", "gpu-b"])
  deployment = dynamo_deployment.chat
  host       = each.key
}
