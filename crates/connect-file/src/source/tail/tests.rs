use super::*;
use std::io::Write;
use std::path::Path;

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("connect-file-{test}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn append(path: &Path, text: &str) {
    File::options().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// As `cat > file` does: the same inode, truncated, then written.
fn rewrite(path: &Path, text: &str) {
    File::options()
        .write(true)
        .truncate(true)
        .create(true)
        .open(path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}

fn read(tail: &mut Tail) -> String {
    read_most(tail, 2000)
}

fn read_most(tail: &mut Tail, most: usize) -> String {
    let lines = tail.read(most).unwrap();
    lines.iter().map(|line| format!("{}@{}", line.text, line.position)).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_absent_file_is_waited_for_and_read_on() {
    let folder = Folder::new("absent");
    let path = folder.file("x");
    let mut tail = Tail::new(path.clone(), None);
    assert_eq!(read(&mut tail), "");
    append(&path, "one\ntwo\nthr");
    assert_eq!(read(&mut tail), "one@4 two@8");
    assert_eq!(read(&mut tail), "");
    append(&path, "ee\n");
    assert_eq!(read(&mut tail), "three@14");
}

#[test]
fn batches_are_bounded_in_lines_and_bytes() {
    let folder = Folder::new("batches");
    let path = folder.file("x");
    append(&path, &"line\n".repeat(5));
    let mut tail = Tail::new(path.clone(), None);
    assert_eq!(read_most(&mut tail, 2), "line@5 line@10");
    assert_eq!(read_most(&mut tail, 2), "line@15 line@20");
    assert_eq!(read_most(&mut tail, 2), "line@25");
    append(&path, &format!("{}\n", "x".repeat(99_999)).repeat(40));
    let sizes: Vec<usize> =
        std::iter::from_fn(|| Some(tail.read(2000).unwrap().len()).filter(|n| *n > 0)).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 40);
    assert!(sizes.len() >= 3, "{sizes:?}");
}

#[test]
fn a_stored_position_is_gone_on_from_whatever_the_characters_weigh() {
    let folder = Folder::new("resume");
    let path = folder.file("x");
    append(&path, "é한😀\r\nb\nc\n");
    for (position, expected) in [
        (0, "é한😀@6 b@8 c@10"),
        (6, "b@8 c@10"),
        (10, ""),
        // no line ends there, or the file is shorter: it is another one
        (7, "é한😀@6 b@8 c@10"),
        (11, "é한😀@6 b@8 c@10"),
    ] {
        assert_eq!(read(&mut Tail::new(path.clone(), Some(position))), expected, "{position}");
    }
    append(&path, "no end");
    assert_eq!(
        read(&mut Tail::new(path.clone(), Some(16))),
        "é한😀@6 b@8 c@10",
        "a line without end was never given out"
    );
}

#[test]
fn a_truncated_file_is_read_from_its_start() {
    let folder = Folder::new("truncated");
    let path = folder.file("x");
    append(&path, "one\ntwo\nhalf");
    let mut tail = Tail::new(path.clone(), None);
    assert_eq!(read(&mut tail), "one@4 two@8");
    rewrite(&path, "new\n");
    assert_eq!(read(&mut tail), "new@4");
    rewrite(&path, "");
    assert_eq!(read(&mut tail), "");
    append(&path, "again\n");
    assert_eq!(read(&mut tail), "again@6");
}

#[test]
fn a_file_rewritten_with_more_than_before_is_read_from_its_start() {
    let folder = Folder::new("rewritten");
    let path = folder.file("x");
    append(&path, "one\ntwo\n");
    let mut tail = Tail::new(path.clone(), None);
    read(&mut tail);
    rewrite(&path, "uno\ndos\ntres\n");
    assert_eq!(read(&mut tail), "uno@4 dos@8 tres@13");
    // the same beginning is the same file with more in it
    rewrite(&path, "uno\ndos\ntres\ncuatro\n");
    assert_eq!(read(&mut tail), "cuatro@20");
    // only the beginning differs, far from where it was read to
    let long = "0123456\n".repeat(1000);
    append(&path, &long);
    read(&mut tail);
    let text = fs::read_to_string(&path).unwrap();
    rewrite(&path, &format!("UNO{}x\n", &text[3..]));
    assert!(read(&mut tail).starts_with("UNO@4 dos@8 "));
}

#[test]
fn a_rotated_file_is_read_to_its_end_then_the_new_one() {
    let folder = Folder::new("rotated");
    let (path, old) = (folder.file("x"), folder.file("x.1"));
    append(&path, "one\n");
    let mut tail = Tail::new(path.clone(), None);
    assert_eq!(read(&mut tail), "one@4");
    fs::rename(&path, &old).unwrap();
    append(&old, "two\n");
    assert_eq!(read(&mut tail), "two@8");
    assert_eq!(read(&mut tail), "", "there is no new file yet");
    append(&path, "three\n");
    assert_eq!(read(&mut tail), "", "the writer may not know the new file yet");
    append(&old, "late\nlast");
    assert_eq!(read(&mut tail), "late@13");
    assert_eq!(read(&mut tail), "last@17", "nobody will end this line");
    assert_eq!(read(&mut tail), "three@6");
    append(&path, "four\n");
    assert_eq!(read(&mut tail), "four@11");
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = Folder::new("no-file");
    let error = Tail::new(folder.0.clone(), None).read(1).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is no regular file: name one in file, or leave file out to read standard input")
    );
    assert!(matches!(Tail::new("/dev/null".into(), None).read(1), Err(TailError::NotAFile { .. })));
    let below = folder.file("x");
    append(&below, "");
    let error = Tail::new(below.join("y"), None).read(1).unwrap_err();
    assert!(matches!(error, TailError::Unreadable { .. }), "{error}");
}
