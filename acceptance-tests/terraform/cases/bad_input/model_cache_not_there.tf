# A model of the hub, and no folder on the host to download it to.
# stage: plan
provider "dynamo" {
  hosts = {
    local = { model_cache = "/no/such/folder" }
  }
}

resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = "acme/Tiny-Chat-0.1B" # error: /no/such/folder & model_cache
}
