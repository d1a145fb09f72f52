//! Whole files: several documents, none, roots of every kind.

use crate::case::case;

#[test]
fn documents_are_merged_one_by_one() {
    case(
        "
        a: 1
        ---
        b: 1
        ",
        "
        a: 2
        ---
        b: 1
        ",
        "
        a: 1
        ---
        b: 2
        ",
    )
    .gives(
        "
        a: 2
        ---
        b: 2
        ",
    );
}

const DEPLOYMENT: &str = "
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
    spec:
      replicas: 1
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: web
    spec:
      port: 80
    ";

#[test]
fn a_document_appended_by_one_side_and_another_edited_by_the_other() {
    case(
        DEPLOYMENT,
        "
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 3
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: web
        spec:
          port: 80
        ",
        "
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 1
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: web
        spec:
          port: 80
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: settings
        data:
          a: b
        ",
    )
    .gives(
        "
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 3
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: web
        spec:
          port: 80
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: settings
        data:
          a: b
        ",
    );
}

#[test]
fn documents_inserted_before_the_first_and_deleted() {
    case(
        DEPLOYMENT,
        "
        kind: Namespace
        metadata:
          name: shop
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 1
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: web
        spec:
          port: 80
        ",
        "
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 2
        ",
    )
    .gives(
        "
        kind: Namespace
        metadata:
          name: shop
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 2
        ",
    );
}

#[test]
fn both_append_a_document() {
    case(
        "
        kind: A
        ",
        "
        kind: A
        ---
        kind: B
        name: ours
        ",
        "
        kind: A
        ---
        kind: C
        owner: theirs
        ",
    )
    .gives(
        "
        kind: A
        ---
        kind: B
        name: ours
        ---
        kind: C
        owner: theirs
        ",
    );
}

#[test]
fn a_document_deleted_by_one_side_and_changed_by_the_other_is_not_decided() {
    case(
        DEPLOYMENT,
        "
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 1
        ",
        "
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 1
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: web
        spec:
          port: 8080
        ",
    )
    .contests(
        1,
        "
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
        spec:
          replicas: 1
        <<<<<<< ours
        =======
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: web
        spec:
          port: 8080
        >>>>>>> theirs
        ",
    );
}

#[test]
fn an_empty_file_filled_by_both() {
    case(
        "",
        "
        a: 1
        ",
        "
        b: 2
        ",
    )
    .gives(
        "
        a: 1
        b: 2
        ",
    );
}

#[test]
fn comments_alone_filled_by_one_side_and_changed_by_the_other() {
    case(
        "
        # nothing yet
        ",
        "
        # nothing yet
        a: 1
        ",
        "
        # to be filled
        ",
    )
    .gives(
        "
        # to be filled
        a: 1
        ",
    );
}

#[test]
fn a_file_emptied_by_one_side_and_changed_by_the_other_is_refused() {
    case("a: 1\nb: 2\n", "# gone\n", "a: 1\nb: 3\n").is_refused();
}

#[test]
fn a_root_sequence() {
    case(
        "
        - a
        - b
        ",
        "
        - a
        - b
        - c
        ",
        "
        - b
        ",
    )
    .gives(
        "
        - b
        - c
        ",
    );
}

#[test]
fn a_root_scalar_changed_by_both_is_contested() {
    case("one\n", "two\n", "three\n").contests(
        1,
        "
        <<<<<<< ours
        two
        =======
        three
        >>>>>>> theirs
        ",
    );
}

#[test]
fn a_root_text() {
    case(
        "
        --- |
        one
        two
        ",
        "
        --- |
        ONE
        two
        ",
        "
        --- |
        one
        two
        three
        ",
    )
    .gives(
        "
        --- |
        ONE
        two
        three
        ",
    );
}

#[test]
fn directives_and_markers_stay() {
    case(
        "
        %YAML 1.2
        ---
        a: 1
        b: 1
        ...
        ",
        "
        %YAML 1.2
        ---
        a: 2
        b: 1
        ...
        ",
        "
        %YAML 1.2
        ---
        a: 1
        b: 2
        ...
        ",
    )
    .gives(
        "
        %YAML 1.2
        ---
        a: 2
        b: 2
        ...
        ",
    );
}

#[test]
fn the_blank_line_below_the_marker_stays() {
    case(
        "
        _crdt: v1

        list:
          a: 1
          b: 1
        ",
        "
        _crdt: v1

        list:
          a: 2
          b: 1
        ",
        "
        _crdt: v1

        list:
          a: 1
          b: 2
        ",
    )
    .gives(
        "
        _crdt: v1

        list:
          a: 2
          b: 2
        ",
    );
}

#[test]
fn the_type_of_a_collection_is_what_one_side_made_of_it() {
    case(
        "
        _crdt: v1 a=or_set b=list
        a:
          - id: x
            n: 1
        b: [1]
        ",
        "
        _crdt: v1 a=or_set b=list
        a:
          - id: x
            n: 2
        b: [1]
        ",
        "
        _crdt: v1 a=list b=list
        a:
          - id: x
            n: 1
          - y
        b: [1]
        ",
    )
    .gives(
        "
        _crdt: v1 a=list b=list
        a:
          - id: x
            n: 2
          - y
        b: [1]
        ",
    );
}

#[test]
fn a_collection_that_both_sides_made_another_one_has_one_type_whoever_asks() {
    case(
        "
        _crdt: v1
        n: 1
        ",
        "
        _crdt: v1 a=or_set
        n: 1
        a: []
        ",
        "
        _crdt: v1 a=list
        n: 1
        a: []
        ",
    )
    .gives(
        "
        _crdt: v1 a=or_set
        n: 1
        a: []
        ",
    );
}

#[test]
fn an_anchor_with_nothing_behind_it_is_no_absent_field() {
    case(
        "
        _crdt: v1
        ",
        "
        _crdt: v1
        d: e
        ",
        "
        _crdt: v1
        d: &x
        ",
    )
    .gives(
        "
        _crdt: v1
        _crdt_conflicts: d~~s.e
        d: &x
        ",
    );
}

#[test]
fn what_lost_to_a_side_is_settled_where_the_other_side_replaced_it() {
    case(
        "
        _crdt: v1 todos=or_set
        todos:
          - id: a
            title: One
        ",
        "
        _crdt: v1 todos=or_set
        todos:
          - id: a
            _crdt_conflicts: title~~s.One
            title: Two
        ",
        "
        _crdt: v1 todos=or_set
        todos:
          - id: a
            title: Three
        ",
    )
    .gives(
        "
        _crdt: v1 todos=or_set
        todos:
          - id: a
            _crdt_conflicts: title~~s.Three
            title: Two
        ",
    );
}

#[test]
fn a_member_that_both_sides_changed_stands_as_either_made_it() {
    case(
        "
        _crdt: v1
        list:
          - one
          - two
        ",
        "
        _crdt: v1
        list:
          - one
          - alpha
        ",
        "
        _crdt: v1
        list:
          - one
          - beta
        ",
    )
    .gives(
        "
        _crdt: v1
        list:
          - one
          - alpha
          - beta
        ",
    );
}
