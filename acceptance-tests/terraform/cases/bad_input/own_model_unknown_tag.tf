# A tag that nobody knows finds nothing.
# stage: validate
data "dynamo_model_catalog" "chat" {
  tags = ["chatt"] # error: be one of & chatt
}
