# A deployment of one release, to be upgraded to another.
variable "dynamo_version" { type = string }
variable "cache" { type = string }

provider "dynamo" {
  hosts = {
    local = { model_cache = var.cache }
  }
}

resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  dynamo_version    = var.dynamo_version
  image             = var.image
  image_pull_policy = "never"
  model             = var.model

  # Nothing can be downloaded: the model comes from the cache of the host.
  env = { HF_HUB_OFFLINE = "1" }

  router {
    mode = "kv"
  }
}

resource "dynamo_worker" "chat" {
  count      = 2
  deployment = dynamo_deployment.chat
}
