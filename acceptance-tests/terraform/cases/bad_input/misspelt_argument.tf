# A misspelt argument inside a block is an error, not silence.
# stage: validate
resource "dynamo_deployment" "chat" {
  name              = var.name
  engine            = "mocker"
  image             = var.image
  image_pull_policy = "never"
  model             = var.model

  router {
    mod = "kv" # error: unsupported argument
  }
}
