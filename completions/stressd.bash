# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of stressd(1) for bash: subcommands, their options, scenario files, devices, and the
# names that `stressd list` gives. One row a subcommand; nothing else here names one.

# subcommand: options; "=" ends those that take a value
declare -gA _stressd_options=(
	[run]="--run-dir= --destroy= --seed= --duration= --keep --json --output= --quiet --until-hit --help"
	[check]="--help"
	[verify]="--keep --json --quiet --help"
	[report]="--format= --help"
	[list]="--json --help"
	[caps]="--json --help"
	[vm]="--kernel= --append= --accel= --cpus= --memory= --disk= --cut= --timeout= --silence= --run-dir= --runner= --keep --output= --no-images --check-config= --fragment --json --scoreboard= --repeat= --limit= --silence-time= --only= --fast --help"
	[repro]="--times= --hits= --keep --finding= --for= --run-dir= --seed= --duration= --destroy= --json --quiet --help --kernel= --append= --accel= --cpus= --memory= --disk= --silence="
	[minimize]="--output= --keep-rate= --confidence= --finding= --for= --run-dir= --seed= --duration= --destroy= --json --quiet --help --kernel= --append= --accel= --cpus= --memory= --disk= --silence="
	[bisect-step]="--times= --rate= --confidence= --finding= --for= --run-dir= --seed= --duration= --destroy= --json --quiet --help --kernel= --append= --accel= --cpus= --memory= --disk= --silence="
	[matrix]="--run-dir= --night= --kernel= --engine= --jobs= --cpus= --memory= --list --check --store= --no-store --json --cell= --help"
	[daemon]="--config= --check --help"
	[submit]="--socket= --json --name= --matrix --kernel= --night= --append= --accel= --vms= --cpus= --memory= --attempts= --exclusive --drop --help"
	[status]="--socket= --json --limit= --help"
	[watch]="--socket= --json --help"
	[cancel]="--socket= --json --help"
	[results]="--socket= --json --limit= --help"
	[store]="--store= --night= --page --older-than= --larger-than= --dry-run --incomplete --findings --json --help"
	[history]="--store= --limit= --json --help"
	[compare]="--store= --html= --json --help"
	[recover]="--help"
	[schema]="--help"
)
# subcommand: what its arguments are
declare -gA _stressd_arguments=(
	[run]=scenario
	[check]=scenario
	[vm]=scenario
	[repro]=scenario
	[minimize]=scenario
	[bisect-step]=scenario
	[verify]=directory
	[report]=directory
	[list]=names
	[matrix]=scenario
	[store]=directory
	[submit]=scenario
	[compare]=directory
)
# option, where it is not the same for all after its subcommand: what its value is
declare -gA _stressd_values=(
	[--run-dir]=directory
	[--destroy]=device
	[--kernel]=file
	[--store]=file
	[--config]=file
	[--socket]=file
	[--cell]=directory
	[--output]=file
	[run --output]=reports
	[vm --output]=reports
	[--format]=reports
	[--finding]=findings
	[--check-config]=file
	[--scoreboard]=scenario
)

_stressd_files() # $1: what compgen makes; names with blanks get quoted
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(eval "$1")
}

_stressd_words()
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

# The first word of each line of `stressd list KIND`; what is indented belongs to the line above.
_stressd_listed()
{
	local line

	"${COMP_WORDS[0]}" list "$1" 2>/dev/null | while IFS= read -r line; do
		[[ $line =~ ^[a-z][a-z0-9_-]* ]] && printf '%s\n' "${BASH_REMATCH[0]}"
	done
}

_stressd_complete() # $1: a kind of thing from the tables above
{
	local kinds="workers faults targets findings rules reports steps"

	case $1 in
	scenario) _stressd_files 'compgen -f -X "!*.json" -- "$cur"; compgen -d -- "$cur"' ;;
	findings | reports) _stressd_words "$(_stressd_listed "$1")" ;;
	directory) _stressd_files 'compgen -d -- "$cur"' ;;
	file) _stressd_files 'compgen -f -- "$cur"' ;;
	device) _stressd_files 'compgen -f -- "${cur:-/dev/}"' ;;
	names)
		if [[ " $kinds " == *" $prev "* ]]; then
			_stressd_words "$(_stressd_listed "$prev")"
		else
			_stressd_words "$kinds"
		fi
		;;
	esac
}

_stressd()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]-} options

	COMPREPLY=()
	# "=" breaks words: --run-dir=/tmp arrives as three of them
	[[ $cur == = ]] && cur=
	[[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD - 2]}
	if ((COMP_CWORD == 1)); then
		_stressd_words "${!_stressd_options[*]} --help --version"
		return
	fi
	options=${_stressd_options[$command]-}
	if [[ $prev == --* && " $options " == *" $prev= "* ]]; then
		_stressd_complete "${_stressd_values[$command $prev]-${_stressd_values[$prev]-}}"
	elif [[ $cur == -* ]]; then
		_stressd_words "${options//=/}"
	else
		_stressd_complete "${_stressd_arguments[$command]-}"
	fi
}

complete -F _stressd stressd
