# Less than no CPU.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model

  resources {
    cpus = -1 # error: -1
  }
}
