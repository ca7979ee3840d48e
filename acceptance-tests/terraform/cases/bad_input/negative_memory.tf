# Less than no memory.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model

  resources {
    memory_gb = -8 # error: -8
  }
}
