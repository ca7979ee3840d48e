data "dynamo_host" "this" {}

output "room" {
  value = "${data.dynamo_host.this.memory_gb - data.dynamo_host.this.reserved.memory_gb} GB for containers"
}
