# shellcheck shell=sh disable=SC2034 # sourced; who sources it uses the variables
# What the benches share: how they read their options, and where their figures go.
json=''

# read_options USAGE NAMES ARGUMENTS...: puts the value of each option --NAME into the variable NAME, and notes --json.
read_options() {
  usage=$1 names=$2
  shift 2
  while [ $# -gt 0 ]; do
    case $1 in
      --json)
        json=-
        case ${2:---} in --*) ;; *) json=$2; shift ;; esac
        ;;
      --?*)
        name=${1#--}
        case " $names " in *" $name "*) ;; *) refuse_options ;; esac
        [ $# -ge 2 ] || refuse_options
        eval "$name=\$2"
        shift
        ;;
      *) refuse_options ;;
    esac
    shift
  done
}

refuse_options() {
  echo "$usage" >&2
  exit 2
}

# print_report REPORT: what `summary` prints, for people; with --json REPORT, too, to a file or to standard output.
print_report() {
  case $json in
    '') summary ;;
    -) summary >&2; printf '%s\n' "$1" ;;
    *) summary; printf '%s\n' "$1" >"$json" ;;
  esac
}
