# More memory than any host has.
# stage: plan
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model

  resources {
    memory_gb = 1000000 # error: 1000000
  }
}
