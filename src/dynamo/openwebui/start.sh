# Makes the key that signs sessions, in the volume that outlives the container, and hands on the administrator's password.
set -eu
key=$DATA_DIR/.webui_secret_key
if [ ! -s "$key" ]; then
  (umask 077 && python3 -c 'import secrets; print(secrets.token_urlsafe(32))' >"$key.new")
  mv "$key.new" "$key"
fi
WEBUI_SECRET_KEY=$(cat "$key")
export WEBUI_SECRET_KEY
password=$2
if [ -s "$password" ]; then
  python3 -c "$1" "$password"
  # It is gone when the account was there already.
  if [ -s "$password" ]; then
    WEBUI_ADMIN_PASSWORD=$(cat "$password")
    # The account is made before the page answers. Then the file goes, so that no later start has the password.
    ( (until python3 -c "$3" 2>/dev/null; do sleep 2; done; rm -f -- "$password") & )
    export WEBUI_ADMIN_PASSWORD
  fi
fi
exec bash start.sh
