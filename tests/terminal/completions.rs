//! `catchall completions`: what the shells themselves make of it.

use crate::process::catchall;
use std::process::Command;

fn script(shell: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = catchall(folder.path()).args(["completions", shell]).output().unwrap();
    assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_commands_and_options() {
    let script = script("bash");
    let completed = |words: &str, at: usize| {
        let ask = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={at}; \
             _catchall catchall \"${{COMP_WORDS[{at}]}}\" \"${{COMP_WORDS[{at}-1]}}\"; echo \"${{COMPREPLY[*]}}\""
        );
        let output = Command::new("bash").args(["-c", &ask]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(completed("catchall sta", 1), "status");
    assert_eq!(completed("catchall queue re", 2), "retry");
    assert_eq!(completed("catchall tail --le", 2), "--level");
    assert_eq!(completed("catchall tail --level w", 3), "warning");
}

#[test]
fn every_shell_gets_a_script_that_names_every_command() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = script(shell);
        let missing =
            ["status", "top", "tail", "queue", "completions"].map(|command| !script.contains(command));
        assert_eq!(missing, [false; 5], "{shell}");
    }
}
