#!/bin/sh
# Makes the secrets of docker-compose.yml, random and new:
#
#   sh deploy/make-secrets.sh [FOLDER]        # deploy/secrets unless given
#
# The folder is closed to other users, the files in it are not: they are mounted one by one into containers whose user has
# another number than you.
set -eu
dir=${1:-$(dirname "$0")/secrets}

if [ -e "$dir/operator_token" ]; then
  echo "make-secrets: $dir has secrets already; to change them: docker-compose down -v, remove the folder, run this again" >&2
  exit 1
fi
mkdir -p "$dir"
chmod 700 "$dir"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
secret() { # NAME, the text on standard input; a container may have begun before there was a file, and Docker made a folder
  [ ! -d "$dir/$1" ] || rmdir "$dir/$1"
  cat >"$dir/$1"
  chmod 444 "$dir/$1"
}
url() { echo "mysql://$1:$2@mariadb:3306/$3"; }

migrate_orders=$(random) read_orders=$(random) sink=$(random) migrate_catalog=$(random) catalog=$(random)

url orders_migrate "$migrate_orders" orders | secret orders_migrate_url
url orders_read "$read_orders" orders | secret orders_read_url
url catalog_migrate "$migrate_catalog" catalog | secret catalog_migrate_url
url catalog "$catalog" catalog | secret catalog_url
# without a line end: a worker takes the whole text of the file for the password
printf %s "$sink" | secret orders_sink_password
random | secret mariadb_root_password
random | secret registry_secret
# MariaDB runs this once, when its volume is empty: nobody but the migrations may change tables, nobody is root
secret mariadb_users.sql <<SQL
CREATE DATABASE orders CHARACTER SET utf8mb4;
CREATE DATABASE catalog CHARACTER SET utf8mb4;
CREATE USER orders_migrate@'%' IDENTIFIED BY '$migrate_orders';
CREATE USER orders_read@'%' IDENTIFIED BY '$read_orders';
CREATE USER orders_sink@'%' IDENTIFIED BY '$sink';
CREATE USER catalog_migrate@'%' IDENTIFIED BY '$migrate_catalog';
CREATE USER catalog@'%' IDENTIFIED BY '$catalog';
GRANT ALL ON orders.* TO orders_migrate@'%';
GRANT SELECT ON orders.* TO orders_read@'%';
GRANT SELECT, INSERT, UPDATE ON orders.* TO orders_sink@'%';
GRANT ALL ON catalog.* TO catalog_migrate@'%';
GRANT SELECT, INSERT, UPDATE, DELETE ON catalog.* TO catalog@'%';
-- for the health check: may do nothing, and only from inside
CREATE USER health@'127.0.0.1';
SQL
# docker-compose asks for this file before it does anything: without secrets its name is the error message
echo '# made together with the secrets beside it; holds none' | secret made-by-make-secrets.sh
random | secret operator_token
echo "make-secrets: made in $dir; the operator token is in $dir/operator_token" >&2
