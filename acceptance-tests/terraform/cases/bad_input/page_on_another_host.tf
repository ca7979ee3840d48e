# A page that cannot reach the private network of its deployment.
# stage: plan
provider "dynamo" {
  hosts = { a = {}, b = {} }
}

resource "dynamo_deployment" "chat" {
  name              = var.name
  host              = "a"
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model
}

resource "dynamo_openwebui" "chat" {
  deployment = dynamo_deployment.chat # error: private network & network = "host"
  host       = "b"
}
