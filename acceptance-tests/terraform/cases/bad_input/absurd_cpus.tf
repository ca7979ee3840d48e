# More CPUs than the host has.
# stage: plan
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model

  resources {
    cpus = 100000 # error: 100000
  }
}
