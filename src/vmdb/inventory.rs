//! stub until the vmdb room lands
use super::*; use crate::provider::*;
pub fn ems_refs(_c:&mut Connection,_e:EmsId,_a:&str)->Result<Vec<String>,VmdbError>{Ok(vec![])}
pub fn save_rows(_c:&mut Connection,_e:EmsId,_a:&str,_r:&[Row])->Result<usize,VmdbError>{Ok(0)}
pub fn remove(_c:&mut Connection,_e:EmsId,_a:&str,_r:&[String])->Result<usize,VmdbError>{Ok(0)}
