/*
 * What is done to files of a workspace is done inside the sandbox, by its own user and with the image's own `sh`,
 * `tar`, `readlink`, `find` and `head`: a link then leads nowhere that the sandbox could not go by itself, and a
 * workspace in memory can be reached at all, which the engine's copying cannot. Paths are arguments, never program
 * text.
 */

/** Exit codes of the scripts, out of the way of those of the tools in them. */
export const REFUSED = 77;
export const MISSING = 66;

/**
 * `$1` workspace, `$2` how many of the rest are folders, `$3` how many of the files after them keep their mode if they
 * are there. Archive on stdin. A folder on the way that is a link or a file is refused and named; one that was made
 * read-only is opened again, and a folder in the place of a file goes.
 */
export const PUT = `umask 022
cd -- "$1" || exit 1
n=$2
k=$3
shift 3
while [ "$n" -gt 0 ]; do
  if [ -L "$1" ] || { [ -e "$1" ] && [ ! -d "$1" ]; }; then printf '%s' "$1"; exit ${REFUSED}; fi
  if [ -d "$1" ]; then { [ -w "$1" ] && [ -x "$1" ]; } || chmod u+rwx "./$1"; fi
  n=$((n - 1))
  shift
done
for f do
  shift
  if [ -d "$f" ] && [ ! -L "$f" ]; then chmod -R u+rwx "./$f"; rm -rf "./$f"; fi
  if [ "$k" -gt 0 ] && [ -f "$f" ] && [ ! -L "$f" ] && [ -x "$f" ]; then set -- "$@" "./$f"; fi
  k=$((k - 1))
done
tar -x -m -p -f - || exit 1
[ $# -eq 0 ] || chmod a+x "$@"`;

/** `$1` workspace, `$2` path, `$3` bytes. The place is resolved first and must lie in the workspace. */
export const GET = `cd -- "$1" || exit 1
[ -e "$2" ] || [ -L "$2" ] || exit ${MISSING}
w=$(readlink -f .) && p=$(readlink -f "./$2") || exit ${MISSING}
case $p in "$w"/*) ;; *) exit ${REFUSED} ;; esac
[ -e "$p" ] || exit ${MISSING}
[ -f "$p" ] || exit ${REFUSED}
exec head -c "$3" "$p"`;

/** `$1` workspace. Archive to stdout. */
export const PACK = `cd -- "$1" || exit 1
exec tar -c -f - .`;

/** `$1` workspace. Archive on stdin. */
export const UNPACK = `umask 022
cd -- "$1" || exit 1
exec tar -x -p -f -`;

/** `$1` workspace. Empties it, then unpacks the archive on stdin. */
export const REPLACE = `umask 022
cd -- "$1" || exit 1
chmod -R u+rwx . 2>/dev/null
find . -mindepth 1 -maxdepth 1 -exec rm -rf {} + || exit 1
exec tar -x -p -f -`;
