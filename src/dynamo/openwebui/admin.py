# The administrator's password, where the data of an earlier container is there already: the account is given it and the file
# goes. In empty data the file stays until the page answers: Open WebUI makes the account from it.
import os
import sqlite3
import sys

file, email = sys.argv[1], os.environ["WEBUI_ADMIN_EMAIL"]
database = os.path.join(os.environ["DATA_DIR"], "webui.db")
if os.environ.get("DATABASE_URL"):
    print("admin_password: the accounts are in another database (DATABASE_URL), so that no password is changed")
    sys.exit()
if not os.path.exists(database):
    sys.exit()
connection = sqlite3.connect(database, timeout=30)
try:
    accounts = connection.execute("select count(*) from auth").fetchone()[0]
except sqlite3.OperationalError:
    accounts = 0
if accounts == 0:
    sys.exit()
import bcrypt

with open(file, "rb") as opened:
    password = bcrypt.hashpw(opened.read(), bcrypt.gensalt()).decode()
with connection:
    found = connection.execute("update auth set password = ? where lower(email) = ?", (password, email)).rowcount
if found == 0:
    sys.exit(
        f"There are accounts in the data already, and none is called {email}: set admin_email to one of them, or leave "
        "admin_email and admin_password out to have them stay as they are."
    )
os.remove(file)
