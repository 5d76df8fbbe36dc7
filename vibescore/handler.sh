
# Called by a tool after each turn, with --source=NAME before the arguments of the tool: has a sync
# started, then the command that the tool called before. Whatever fails, fails without a word: who
# works with the tool must not notice. Arguments are passed on and never looked at.

exec </dev/null >/dev/null 2>&1
trap 'exit 0' EXIT

source=
case ${1-} in
--source=*)
    source=${1#--source=}
    shift
    ;;
esac
known "$source" || source=unknown

# Who waits with a sync has yet to look at the logs, and so will see this turn. Here that only
# saves starting one more: what counts is the lock that the waiting one holds.
somebody_waits() {
    read -r pid from until <"$home/notify/waiting" || return
    now=$(date +%s)
    kill -0 "$pid" && [ "$now" -ge "$from" ] && [ "$now" -lt "$until" ]
}

track() {
    trap '' HUP
    somebody_waits && exit
    cd /
    unset PYTHONHOME PYTHONPATH
    export VIBESCORE_HOME="$home"
    runtime sync --auto "--notified-by=$source"
}

# The original may call this handler again, directly or through others.
chain() {
    case " ${VIBESCORE_NOTIFYING-} " in
    *" $source "*) exit ;;
    esac
    export VIBESCORE_NOTIFYING="${VIBESCORE_NOTIFYING-} $source"
    original "$@"
}

known "$source" && true >"$home/notify/$source.called"
track &
if chained "$source"; then
    chain "$@" &
fi
exit 0
