export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What each shell is told to do at its start. Each asks `regears complete` for words, one a line, a tab before the description. */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  // Readline replaces what stands behind the last colon or equals sign only, unless a quote is open.
  bash: `# regears completion for bash. In ~/.bashrc:  source <(regears completion bash)
_regears() {
  local line="\${COMP_LINE:0:COMP_POINT}" value
  local word="\${line##*[[:space:]]}"
  local before="\${word%"\${word##*[:=]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r value _; do
    case "$value" in
      :files) compopt -o default; return ;;
      :folders) compopt -o dirnames; return ;;
    esac
    if [[ "$word" == [\\"\\']* ]]; then
      COMPREPLY+=("$value")
    else
      printf -v value %q "$value"
      COMPREPLY+=("\${value#"$before"}")
    fi
  done < <(regears complete --line "$line" 2>/dev/null)
}
complete -F _regears regears
`,
  zsh: `#compdef regears
# regears completion for zsh. In ~/.zshrc, behind compinit:  source <(regears completion zsh)
_regears() {
  local -a lines values
  local line
  lines=("\${(@f)$(regears complete -- "\${(@Q)words[1,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  case "\${lines[1]}" in
    :files) _files; return ;;
    :folders) _files -/; return ;;
  esac
  for line in "\${lines[@]}"; do
    [[ -n "$line" ]] && values+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  (( \${#values} )) && _describe -V regears values
}
compdef _regears regears
`,
  fish: `# regears completion for fish. In ~/.config/fish/config.fish:  regears completion fish | source
function __regears_complete
    set -l lines (regears complete -- (commandline -opc) (commandline -ct) 2>/dev/null)
    switch "$lines[1]"
        case ':files'
            __fish_complete_path (commandline -ct)
        case ':folders'
            __fish_complete_directories (commandline -ct)
        case '*'
            printf '%s\\n' $lines
    end
end
complete -c regears -f -a '(__regears_complete)'
`,
};
